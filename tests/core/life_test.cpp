/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The life of objects: creation, close, antecedents and successors, the adapter.
 */
#include "world.h"

#include <gtest/gtest.h>

namespace {

constexpr NDK_OBJECT_TYPE kTypes[] = { NdkObjectTypeCq,	       NdkObjectTypeQp,
				       NdkObjectTypeMr,	       NdkObjectTypePd,
				       NdkObjectTypeSharedEndpoint, NdkObjectTypeConnector,
				       NdkObjectTypeListener };

}

class LifeOf : public testing::TestWithParam<NDK_OBJECT_TYPE> {
protected:
	World w;
};

TEST_P(LifeOf, created_inline)
{
	NDK_COVERS("CREATE-3 CREATE-4 CREATE-14 OBJ-2 OBJ-3 OBJ-4");
	struct ndk_obj *o = w.begin(GetParam(), 5);

	EXPECT_FALSE(ndk_obj_live(o));
	EXPECT_STATUS(STATUS_SUCCESS, w.built(o, STATUS_SUCCESS));
	EXPECT_TRUE(ndk_obj_live(o));
	EXPECT_EQ(o->ndk.header.ObjectType, GetParam());
	EXPECT_EQ(o->ndk.header.Version.Major, 2);
	EXPECT_EQ(o->ndk.header.Version.Minor, 1);
	for (PVOID reserved : o->ndk.header.NdkReserved.rf)
		EXPECT_EQ(reserved, nullptr);
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CREATE), 0u) << "an inline answer has no callback";
	EXPECT_EQ(w.host.live[GetParam()], 1u);
}

TEST_P(LifeOf, created_later)
{
	NDK_COVERS("CREATE-2 CREATE-5 CREATE-8 CREATE-9 CREATE-10 CREATE-11");
	w.host.heavy = 1u << GetParam();
	struct ndk_obj *o = w.begin(GetParam(), 77);

	EXPECT_STATUS(STATUS_PENDING, w.built(o, STATUS_SUCCESS));
	EXPECT_EQ(w.told(NDK_FX_CALL_CREATE), 0u);
	w.settle();
	ASSERT_EQ(w.told(NDK_FX_CALL_CREATE), 1u);
	EXPECT_STATUS(STATUS_SUCCESS, w.last(NDK_FX_CALL_CREATE).status);
	EXPECT_EQ(w.last(NDK_FX_CALL_CREATE).tag, 77u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CREATE).target, &o->ndk.header);
	EXPECT_EQ((VOID *)&o->ndk.header, (VOID *)o) << "OBJ-1: the header is the object";
}

TEST_P(LifeOf, creation_failed_inline)
{
	NDK_COVERS("CREATE-16 CREATE-3 U-2");
	struct ndk_obj *o = w.begin(GetParam(), 0);

	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, w.built(o, STATUS_INSUFFICIENT_RESOURCES));
	EXPECT_FALSE(w.exists(o));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CREATE), 0u);
	EXPECT_EQ(w.host.live[GetParam()], 0u);
}

TEST_P(LifeOf, creation_failed_later)
{
	NDK_COVERS("CREATE-15 U-1 REQ-7");
	w.host.heavy = 1u << GetParam();
	struct ndk_obj *o = w.begin(GetParam(), 3);
	bool there = false;

	EXPECT_STATUS(STATUS_PENDING, w.built(o, STATUS_INSUFFICIENT_RESOURCES));
	w.inside(NDK_FX_CALL_CREATE, [&] { there = w.exists(o); });
	w.settle();
	EXPECT_TRUE(there) << "the memory outlives the callback";
	EXPECT_FALSE(w.exists(o));
	EXPECT_STATUS(STATUS_INSUFFICIENT_RESOURCES, w.last(NDK_FX_CALL_CREATE).status);
	EXPECT_EQ(w.last(NDK_FX_CALL_CREATE).target, nullptr);
	EXPECT_EQ(w.last(NDK_FX_CALL_CREATE).tag, 3u);
}

TEST_P(LifeOf, may_be_closed_from_inside_its_create_completion)
{
	NDK_COVERS("CREATE-14 CLOSE-16 CLOSE-17 CLOSE-7 REQ-6");
	w.host.heavy = 1u << GetParam();
	struct ndk_obj *o = w.begin(GetParam(), 0);

	o->light = 1;
	w.built(o, STATUS_SUCCESS);
	w.inside(NDK_FX_CALL_CREATE, [&] {
		EXPECT_STATUS(STATUS_PENDING, w.close(o, 9));
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY)) << "not before the callback returned";
		EXPECT_FALSE(w.due(NDK_FX_CALL_CLOSE));
	});
	w.settle();
	EXPECT_FALSE(w.exists(o));
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CLOSE).tag, 9u);
}

TEST_P(LifeOf, closes_inside_the_call_when_it_is_light_and_quiet)
{
	NDK_COVERS("CLOSE-1 CLOSE-3 CLOSE-12 CLOSE-9");
	struct ndk_obj *o = w.begin(GetParam(), 0);

	o->light = 1;
	w.built(o, STATUS_SUCCESS);
	if (GetParam() == NdkObjectTypeQp) {
		/* never light: its receives are to be flushed first (U-23) */
		EXPECT_STATUS(STATUS_PENDING, w.close(o));
		EXPECT_TRUE(w.due(NDK_FX_QP_FLUSH));
		return;
	}
	EXPECT_STATUS(STATUS_SUCCESS, w.close(o));
	EXPECT_FALSE(w.exists(o));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 0u);
}

TEST_P(LifeOf, close_completion_is_the_last_callback_and_comes_once)
{
	NDK_COVERS("CLOSE-2 CLOSE-4 CLOSE-8 CLOSE-9 CLOSE-10 CLOSE-11 CLOSE-18 OBJ-7");
	struct ndk_obj *o = w.begin(GetParam(), 0);
	bool there = false;

	w.built(o, STATUS_SUCCESS);
	EXPECT_STATUS(STATUS_PENDING, w.close(o, 0xabcdef));
	if (w.due(NDK_FX_QP_FLUSH)) {
		EXPECT_TRUE(w.finish(NDK_FX_QP_FLUSH));
	}
	EXPECT_EQ(w.effects.size(), 1u);
	EXPECT_TRUE(w.finish(NDK_FX_HW_DESTROY));
	EXPECT_EQ(w.effects.size(), 1u);
	w.inside(NDK_FX_CALL_CLOSE, [&] { there = w.exists(o); });
	EXPECT_TRUE(w.finish(NDK_FX_CALL_CLOSE));
	EXPECT_TRUE(there);
	EXPECT_FALSE(w.exists(o));
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CLOSE).tag, 0xabcdefu);
	EXPECT_TRUE(w.effects.empty());
}

TEST_P(LifeOf, always_pends_where_the_mode_says_so)
{
	NDK_COVERS("CREATE-2 CLOSE-2");
	w.host.answer = NDK_ANSWER_PEND;
	struct ndk_obj *o = w.begin(GetParam(), 0);

	o->light = 1;
	EXPECT_STATUS(STATUS_PENDING, w.built(o, STATUS_SUCCESS));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CREATE), 1u);
	EXPECT_STATUS(STATUS_PENDING, w.close(o));
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
}

TEST_P(LifeOf, a_second_close_is_seen_and_does_nothing)
{
	NDK_COVERS("CLOSE-1");
	struct ndk_obj *o = w.begin(GetParam(), 0);

	w.built(o, STATUS_SUCCESS);
	w.close(o);
	{
		port::Expecting trouble;
		EXPECT_STATUS(STATUS_SUCCESS, w.close(o));
		EXPECT_EQ(trouble.illegal(), 1u);
	}
	w.settle();
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 1u);
}

INSTANTIATE_TEST_SUITE_P(Every, LifeOf, testing::ValuesIn(kTypes),
			 [](const auto &info) { return std::string(ndk_type_name(info.param)); });

/* ---- antecedents ---- */
TEST(Life, antecedents_wait_for_their_successors)
{
	NDK_COVERS("LIFE-1 LIFE-2 LIFE-3 LIFE-4 LIFE-5 LIFE-6 LIFE-9");
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_cq *cq = w.cq();
	struct ndk_qp *qp = w.qp(pd, cq);
	struct ndk_mr *mr = w.mr(pd);

	EXPECT_STATUS(STATUS_PENDING, w.close(pd, 1));
	EXPECT_STATUS(STATUS_PENDING, w.close(cq, 2));
	EXPECT_TRUE(w.effects.empty()) << "a bare dereference";
	w.close(qp, 3);
	w.settle();
	EXPECT_FALSE(w.exists(qp));
	EXPECT_FALSE(w.exists(cq));
	EXPECT_TRUE(w.exists(pd)) << "the MR still holds it";
	w.close(mr, 4);
	w.settle();
	EXPECT_FALSE(w.exists(pd));
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 4u);
	EXPECT_EQ(w.last(NDK_FX_CALL_CLOSE).tag, 1u);
}

TEST(Life, an_antecedent_ends_after_the_close_completion_of_its_successor_returned)
{
	NDK_COVERS("LIFE-5 CLOSE-19");
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_mr *mr = w.mr(pd);

	w.close(pd, 1);
	w.close(mr, 2);
	EXPECT_TRUE(w.finish(NDK_FX_HW_DESTROY, &mr->obj));
	w.inside(NDK_FX_CALL_CLOSE, [&] {
		EXPECT_FALSE(w.due(NDK_FX_HW_DESTROY, &pd->obj));
		EXPECT_FALSE(w.due(NDK_FX_CALL_CLOSE, &pd->obj));
	});
	EXPECT_TRUE(w.finish(NDK_FX_CALL_CLOSE, &mr->obj));
	EXPECT_TRUE(w.due(NDK_FX_HW_DESTROY, &pd->obj));
	w.settle();
	ASSERT_EQ(w.told(NDK_FX_CALL_CLOSE), 2u);
	EXPECT_EQ(w.said[w.said.size() - 2].tag, 2u);
	EXPECT_EQ(w.said.back().tag, 1u);
}

TEST(Life, one_close_can_end_a_whole_family)
{
	NDK_COVERS("LIFE-4");
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_cq *cq = w.cq();
	struct ndk_qp *qp = w.qp(pd, cq);
	struct ndk_shared *s = w.shared(v4("192.0.2.1", 1000));
	struct ndk_connector *c = w.connector();

	EXPECT_STATUS(STATUS_PENDING, w.connect_shared(c, qp, s));
	w.news(c, NDK_CM_RESPONSE);
	w.settle();
	for (struct ndk_obj *o : { &pd->obj, &cq->obj, &qp->obj, &s->obj })
		EXPECT_STATUS(STATUS_PENDING, w.close(o));
	w.settle();
	EXPECT_TRUE(w.exists(pd) && w.exists(cq) && w.exists(qp) && w.exists(s));
	w.close(c);
	w.settle();
	EXPECT_FALSE(w.exists(pd) || w.exists(cq) || w.exists(qp) || w.exists(s) || w.exists(c));
	EXPECT_EQ(w.told(NDK_FX_CALL_CLOSE), 5u);
}

/* Closing everything at once is what makes the longest list. */
TEST(Life, no_call_makes_a_longer_list_than_a_list_holds)
{
	World w;
	struct ndk_listener *l = w.listener();
	struct ndk_qp *qp = w.qp();
	struct ndk_connector *c;

	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	c = w.established_passive(l, qp);
	w.close(l);
	w.close(qp->pd);
	w.close(qp->rcq);
	w.close(qp);
	w.close(c);
	w.settle();
	EXPECT_GE(w.host.fx_high, 3u);
	EXPECT_LE(w.host.fx_high, (ULONG)NDK_FX_MAX / 2);
}

/* ---- adapter ---- */
TEST(Life, the_adapter_is_idle_once_and_only_when_all_is_gone)
{
	NDK_COVERS("ADP-4 ADP-5 LIFE-8 LIFE-1");
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_cq *cq = w.cq();

	w.call([&](struct ndk_fx *fx) { ndk_adapter_close(w.adapter, fx); });
	EXPECT_EQ(w.idle, 0u);
	w.close(pd);
	w.close(cq);
	w.finish(NDK_FX_HW_DESTROY);
	w.finish(NDK_FX_HW_DESTROY);
	w.finish(NDK_FX_CALL_CLOSE);
	EXPECT_EQ(w.idle, 0u);
	w.inside(NDK_FX_CALL_CLOSE, [&] { EXPECT_EQ(w.idle, 0u); });
	w.finish(NDK_FX_CALL_CLOSE);
	EXPECT_EQ(w.idle, 1u);
	ndk_adapter_end(w.adapter);
	w.ended_by_test();
}

TEST(Life, a_mapping_holds_the_adapter_like_a_child)
{
	NDK_COVERS("LAM-12");
	World w;

	ndk_adapter_hold(w.adapter);
	w.call([&](struct ndk_fx *fx) { ndk_adapter_close(w.adapter, fx); });
	EXPECT_EQ(w.idle, 0u);
	w.call([&](struct ndk_fx *fx) { ndk_adapter_unhold(w.adapter, fx); });
	EXPECT_EQ(w.idle, 1u);
	ndk_adapter_end(w.adapter);
	w.ended_by_test();
}

TEST(Life, several_adapters_of_one_host_end_each_for_itself)
{
	NDK_COVERS("ADP-1");
	World w;
	NDK_VERSION version = { 1, 2 };
	struct ndk_adapter second = {};
	struct ndk_fx fx;

	ndk_adapter_init(&second, &w.host, version);
	EXPECT_EQ(second.obj.ndk.header.Version.Major, 1);
	EXPECT_EQ(w.host.live[NdkObjectTypeAdapter], 2u);
	w.pd();
	ndk_fx_init(&fx);
	ndk_adapter_close(&second, &fx);
	ASSERT_EQ(fx.count, 1u);
	EXPECT_EQ(fx.e[0].kind, NDK_FX_ADAPTER_IDLE);
	ndk_adapter_end(&second);
	EXPECT_EQ(w.host.live[NdkObjectTypeAdapter], 1u);
}

/* ---- pointers that are no objects ---- */
TEST(Life, only_living_objects_of_the_right_type_are_recognised)
{
	NDK_COVERS("OBJ-2");
	World w;
	struct ndk_pd *pd = w.pd();
	struct ndk_obj gone = pd->obj;

	EXPECT_EQ(ndk_obj_of(pd, NdkObjectTypePd), &pd->obj);
	EXPECT_EQ(ndk_obj_of(pd, NdkObjectTypeCq), nullptr);
	EXPECT_EQ(ndk_obj_of(nullptr, NdkObjectTypePd), nullptr);
	gone.magic = 0;
	EXPECT_EQ(ndk_obj_of(&gone, NdkObjectTypePd), nullptr);
}

TEST(Life, a_dropped_reference_that_was_never_taken_is_reported)
{
	World w;
	struct ndk_pd *pd = w.pd(), *other = w.pd();
	port::Expecting trouble;

	w.call([&](struct ndk_fx *fx) { ndk_ref_put(&pd->obj, NDK_REF_REQUEST, fx); });
	EXPECT_EQ(trouble.bugs(), 1u);
	EXPECT_EQ(pd->obj.refs[NDK_REF_REQUEST], 0u);
	/* ending a relation that does not exist says so twice: no antecedent, no reference */
	w.call([&](struct ndk_fx *fx) { ndk_obj_undepend(&pd->obj, &other->obj, fx); });
	EXPECT_EQ(trouble.bugs(), 3u);
}

TEST(Life, one_dependency_can_end_early)
{
	NDK_COVERS("U-24");
	World w;
	struct ndk_pd *pd = w.pd(), *other = w.pd();

	ndk_obj_depend(&pd->obj, &other->obj);
	w.close(other);
	w.settle();
	EXPECT_TRUE(w.exists(other));
	w.call([&](struct ndk_fx *fx) { ndk_obj_undepend(&pd->obj, &other->obj, fx); });
	w.settle();
	EXPECT_FALSE(w.exists(other));
	EXPECT_TRUE(w.exists(pd));
}

TEST(Life, names_exist_for_every_number)
{
	EXPECT_STREQ(ndk_type_name(NdkObjectTypeConnector), "connector");
	EXPECT_STREQ(ndk_type_name(NdkObjectTypeMax), "?");
	EXPECT_STREQ(ndk_effect_name(NDK_FX_CM_TEARDOWN), "cm_teardown");
	EXPECT_STREQ(ndk_effect_name(NDK_FX_ADAPTER_IDLE), "adapter_idle");
	EXPECT_STREQ(ndk_effect_name(NDK_FX_ADAPTER_IDLE + 1), "?");
	EXPECT_STREQ(ndk_state_name(NDK_MACHINE_QP, NDK_QP_SPOILED), "SPOILED");
	EXPECT_STREQ(ndk_state_name(NDK_MACHINE_QP, 99), "?");
	EXPECT_STREQ(ndk_state_name(NDK_MACHINES, 0), "?");
	EXPECT_STREQ(ndk_event_name(NDK_MACHINE_CQ, NDK_CQ_EV_ARM_ANY), "ARM_ANY");
	EXPECT_STREQ(ndk_event_name(NDK_MACHINE_CQ, 99), "?");
	EXPECT_EQ(ndk_machine(NDK_MACHINES), nullptr);
}
